{{/* The restricted profile of the Pod Security Standards. */}}
{{- define "reprise.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "reprise.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "reprise.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Replicas apart from each other, but running rather than apart. Arguments: root, component. */}}
{{- define "reprise.spread" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "reprise.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ $component }}
{{- end }}
{{- end -}}

{{/* The authorities that the servers' certificates must come from. Arguments: root, whether there is a database. */}}
{{- define "reprise.trustMounts" -}}
{{- $root := index . 0 -}}
{{- if and (index . 1) $root.Values.database.ca.secretName }}
- { name: database-ca, mountPath: /run/secrets/database-ca, readOnly: true }
{{- end }}
{{- if $root.Values.broker.ca.secretName }}
- { name: broker-ca, mountPath: /run/secrets/broker-ca, readOnly: true }
{{- end }}
{{- end -}}

{{- define "reprise.trustVolumes" -}}
{{- $root := index . 0 -}}
{{- if and (index . 1) $root.Values.database.ca.secretName }}
- name: database-ca
  secret: { secretName: {{ $root.Values.database.ca.secretName }}, items: [{ key: {{ $root.Values.database.ca.key }}, path: ca.pem }] }
{{- end }}
{{- if $root.Values.broker.ca.secretName }}
- name: broker-ca
  secret: { secretName: {{ $root.Values.broker.ca.secretName }}, items: [{ key: {{ $root.Values.broker.ca.key }}, path: ca.pem }] }
{{- end }}
{{- end -}}

{{- define "reprise.trustEnv" -}}
{{- $root := index . 0 -}}
{{- if and (index . 1) $root.Values.database.ca.secretName }}
- { name: DATABASE_CA_FILE, value: /run/secrets/database-ca/ca.pem }
{{- end }}
{{- if $root.Values.broker.ca.secretName }}
- { name: AMQP_CA_FILE, value: /run/secrets/broker-ca/ca.pem }
{{- end }}
{{- end -}}
