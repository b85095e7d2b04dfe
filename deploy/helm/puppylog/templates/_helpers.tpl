{{- define "puppylog.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- define "puppylog.fullname" -}}
{{- $name := include "puppylog.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "puppylog.selector" -}}
app.kubernetes.io/name: {{ include "puppylog.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "puppylog.labels" -}}
{{ include "puppylog.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "puppylog.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "puppylog.tokens" -}}
{{- .Values.tokens.existingSecret | default (printf "%s-tokens" (include "puppylog.fullname" .)) -}}
{{- end }}

{{- /* The server as clients in the cluster reach it. The name is in the certificate. */ -}}
{{- define "puppylog.url" -}}
{{ ternary "https" "http" .Values.tls.enabled }}://{{ include "puppylog.fullname" . }}.{{ .Release.Namespace }}.svc:{{ .Values.server.service.port }}
{{- end }}

{{- define "puppylog.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "puppylog.storeEnvironment" -}}
{{- if eq .Values.store.kind "external" -}}
env:
  - name: PUPPYLOG_STORE
    valueFrom:
      secretKeyRef: {name: {{ .Values.store.external.existingSecret }}, key: {{ .Values.store.external.urlKey }}}
{{- else -}}
env: []
{{- end -}}
{{- end }}
