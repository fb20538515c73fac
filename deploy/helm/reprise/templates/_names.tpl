{{/* What everything of a release is called: the release's name, with `reprise` in it. */}}
{{- define "reprise.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" -}}
{{- else if contains "reprise" .Release.Name -}}
{{- .Release.Name | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-reprise" .Release.Name | trunc 45 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "reprise.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/part-of: reprise
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "reprise.selector" . }}
{{- end -}}

{{/* What selects everything of a release; with the component, one service. Not one workspace's pod: these are labelled by the provisioner. */}}
{{- define "reprise.selector" -}}
app.kubernetes.io/name: reprise
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Arguments: root, name of the image. */}}
{{- define "reprise.image" -}}
{{- $root := index . 0 -}}
{{- $registry := $root.Values.image.registry -}}
{{- if $registry }}{{ trimSuffix "/" $registry }}/{{ end -}}
reprise-{{ index . 1 }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}
{{- end -}}

{{/* Where pods of workspaces are made: in a namespace that is there, or in one that the chart makes. */}}
{{- define "reprise.podsNamespace" -}}
{{- .Values.pods.namespace | default (printf "%s-pods" (.Release.Namespace | trunc 58 | trimSuffix "-")) -}}
{{- end -}}

{{- define "reprise.gatewayUrl" -}}
http://{{ include "reprise.fullname" . }}-gateway.{{ .Release.Namespace }}:8080
{{- end -}}

{{/* The labels that the provisioner gives the pods of workspaces (POD_INSTANCE). */}}
{{- define "reprise.workspacePods" -}}
app.kubernetes.io/managed-by: reprise
reprise.dev/instance: {{ .Release.Name }}
{{- end -}}
