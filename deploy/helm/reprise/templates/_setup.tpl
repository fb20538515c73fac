{{/*
What deploy/images/set-up.mjs is told: the administrators' addresses and everybody's passwords out of the setup's Secret, each service's own address out
of that service's. The administrators of bundled servers are made by their operators.
*/}}
{{- define "reprise.setupEnv" -}}
{{- $name := include "reprise.fullname" . -}}
{{- range list "lifecycle" "provisioner" "billing" "deadletters" }}
- { name: {{ upper . }}_DATABASE_URL_FILE, value: /run/secrets/reprise/{{ upper . }}_DATABASE_URL }
{{- end }}
{{- if has "database" .Values.setup.parts }}
{{- range list "LIFECYCLE" "PROVISIONER" "BILLING" "DEADLETTERS" }}
- { name: {{ . }}_DB_PASSWORD_FILE, value: /run/secrets/reprise/{{ . }}_DB_PASSWORD }
{{- end }}
{{- if .Values.database.bundled.enabled }}
{{- include "reprise.login" (list "DATABASE" (printf "%s-postgres-superuser" $name)) }}
- { name: DATABASE_URL, value: 'postgres://$(DATABASE_ADMIN_USER):$(DATABASE_ADMIN_PASSWORD)@{{ $name }}-postgres-rw:5432/reprise' }
{{- else }}
- { name: DATABASE_URL_FILE, value: /run/secrets/reprise/DATABASE_URL }
{{- end }}
{{- end }}
{{- if has "broker" .Values.setup.parts }}
{{- range list "GATEWAY" "LIFECYCLE" "PROVISIONER" "BILLING" "DEADLETTERS" "PUBLISHER" }}
- { name: {{ . }}_AMQP_PASSWORD_FILE, value: /run/secrets/reprise/{{ . }}_AMQP_PASSWORD }
{{- end }}
{{- if .Values.broker.bundled.enabled }}
{{- include "reprise.login" (list "BROKER" (printf "%s-rabbitmq-default-user" $name)) }}
- { name: AMQP_URL, value: 'amqp://$(BROKER_ADMIN_USER):$(BROKER_ADMIN_PASSWORD)@{{ $name }}-rabbitmq:5672' }
- { name: RABBITMQ_MANAGEMENT_URL, value: 'http://$(BROKER_ADMIN_USER):$(BROKER_ADMIN_PASSWORD)@{{ $name }}-rabbitmq:15672' }
{{- else }}
- { name: AMQP_URL_FILE, value: /run/secrets/reprise/AMQP_URL }
- { name: RABBITMQ_MANAGEMENT_URL_FILE, value: /run/secrets/reprise/RABBITMQ_MANAGEMENT_URL }
{{- end }}
{{- end }}
{{- include "reprise.trustEnv" (list . true) }}
{{- end -}}

{{/* An administrator's login, as its operator wrote it. Arguments: prefix, name of the Secret. */}}
{{- define "reprise.login" }}
- { name: {{ index . 0 }}_ADMIN_USER, valueFrom: { secretKeyRef: { name: {{ index . 1 }}, key: username } } }
- { name: {{ index . 0 }}_ADMIN_PASSWORD, valueFrom: { secretKeyRef: { name: {{ index . 1 }}, key: password } } }
{{- end -}}
