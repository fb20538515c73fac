{{/*
The secrets of each service, by the names that docs/configuration.md has for them; each is a key of the service's Secret. They are read from files:
neither `kubectl describe` nor the environment of a child process shows them. Arguments: root, service.
*/}}
{{- define "reprise.secretNames" -}}
{{- $root := index . 0 -}}
{{- $service := index . 1 -}}
{{- $names := list "AMQP_URL" -}}
{{- if ne $service "gateway" }}{{ $names = append $names "DATABASE_URL" }}{{ end -}}
{{- if or (eq $service "gateway") (eq $service "provisioner") }}{{ $names = concat $names (list "POD_TOKEN_SECRET" "SECRETS_KEY") }}
{{- if $root.Values.exchangePodTokenSecret }}{{ $names = append $names "POD_TOKEN_SECRET_PREVIOUS" }}{{ end }}{{ end -}}
{{- if and (eq $service "provisioner") $root.Values.rotateSecretsKey }}{{ $names = append $names "SECRETS_KEY_PREVIOUS" }}{{ end -}}
{{- if and (eq $service "provisioner") $root.Values.snapshots.s3.accessKeyId }}{{ $names = append $names "S3_SECRET_ACCESS_KEY" }}{{ end -}}
{{- join " " $names -}}
{{- end -}}

{{/* The settings of a service that the chart knows; `settings` in the values goes before them. Arguments: root, service. A YAML map. */}}
{{- define "reprise.settings" -}}
{{- $root := index . 0 -}}
{{- $service := index . 1 -}}
{{- $own := dict -}}
{{- if eq $service "gateway" -}}
{{- with $root.Values.jwt }}
{{- $own = dict "JWT_ISSUER" .issuer "JWT_AUDIENCE" .audience }}
{{- with .operatorOrgs }}{{ $_ := set $own "OPERATOR_ORGS" (join "," .) }}{{ end }}
{{- with .operatorAudience }}{{ $_ := set $own "OPERATOR_AUDIENCE" . }}{{ end }}
{{- if .jwksUri }}{{ $_ := set $own "JWT_JWKS_URI" .jwksUri }}{{ else }}{{ $_ := set $own "JWT_PUBLIC_KEY_FILE" "/run/secrets/jwt/key" }}{{ end }}
{{- end }}
{{- else if eq $service "provisioner" -}}
{{- $own = include "reprise.provisionerSettings" $root | fromYaml -}}
{{- end -}}
{{- $listen := dict "HTTP_HOST" "0.0.0.0" "HTTP_PORT" 8080 "METRICS_HOST" "0.0.0.0" "METRICS_PORT" 9464 -}}
{{- $drain := dict "SHUTDOWN_TIMEOUT_SECONDS" $root.Values.shutdownTimeoutSeconds -}}
{{- merge (dict) (index $root.Values $service).settings $root.Values.settings $own $listen $drain | toYaml -}}
{{- end -}}

{{- define "reprise.provisionerSettings" -}}
POD_DRIVER: kubernetes
POD_NAMESPACE: {{ include "reprise.podsNamespace" . }}
POD_INSTANCE: {{ .Release.Name }}
AGENT_IMAGE: {{ include "reprise.image" (list . "agent") }}
GATEWAY_URL: {{ include "reprise.gatewayUrl" . }}
POD_AGENT_PORT: {{ .Values.pods.agentPort }}
{{- if .Values.pods.removeWithRelease }}
POD_OWNER: configmap/{{ include "reprise.fullname" . }}-pods
{{- end }}
{{- if .Values.pods.template }}
POD_TEMPLATE: /etc/reprise/pod-template.yaml
{{- end }}
SNAPSHOT_STORE: {{ .Values.snapshots.store }}
{{- if eq .Values.snapshots.store "s3" }}
{{- with .Values.snapshots.s3 }}
S3_BUCKET: {{ required "snapshots.s3.bucket is needed where snapshots.store is s3" .bucket }}
S3_REGION: {{ .region }}
{{- with .endpoint }}
S3_ENDPOINT: {{ . }}
{{- end }}
{{- with .accessKeyId }}
S3_ACCESS_KEY_ID: {{ . }}
{{- end }}
{{- end }}
{{- else }}
SNAPSHOTS_DIR: /var/lib/reprise/snapshots
{{- end }}
{{- end -}}

{{/* The environment of a service. Arguments: root, service. */}}
{{- define "reprise.env" -}}
{{- $root := index . 0 -}}
{{- $service := index . 1 -}}
{{- range $name, $value := include "reprise.settings" . | fromYaml }}
- { name: {{ $name }}, value: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }} }
{{- end }}
{{- if and $root.Values.broker.bundled.enabled (not (hasKey (include "reprise.settings" . | fromYaml) "AMQP_OPERATORS")) }}
- { name: AMQP_OPERATORS, valueFrom: { secretKeyRef: { name: {{ include "reprise.fullname" $root }}-rabbitmq-default-user, key: username } } }
{{- end }}
{{- range splitList " " (include "reprise.secretNames" .) }}
- { name: {{ . }}_FILE, value: /run/secrets/reprise/{{ . }} }
{{- end }}
{{- include "reprise.trustEnv" (list $root (ne $service "gateway")) }}
{{- end -}}
