{{/* Names are asked for at the cluster's own DNS: with any other, whoever may ask can also send. */}}
{{- define "reprise.dns" -}}
{{- $policies := .Values.networkPolicies -}}
- ports: [{ port: {{ $policies.dnsPort }}, protocol: UDP }, { port: {{ $policies.dnsPort }}, protocol: TCP }]
  {{- with $policies.dns }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The namespace of the services, as a peer's selector; every namespace has this label from Kubernetes 1.21 on. */}}
{{- define "reprise.releaseNamespace" -}}
namespaceSelector:
  matchLabels:
    kubernetes.io/metadata.name: {{ .Release.Namespace }}
{{- end -}}

{{- define "reprise.workspacePeer" -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ include "reprise.podsNamespace" . }}
  podSelector:
    matchLabels:
      {{- include "reprise.workspacePods" . | nindent 6 }}
{{- end -}}
