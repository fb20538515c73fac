{{- define "reprise.dns" -}}
- ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]
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
