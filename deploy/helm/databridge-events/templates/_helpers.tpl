{{- define "databridge.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "databridge.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (include "databridge.name" .) -}}
{{- end -}}

{{- define "databridge.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{/* Labels of a component. Call with (dict "root" $ "component" "delivery"). */}}
{{- define "databridge.selectorLabels" -}}
app.kubernetes.io/name: databridge-events
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "databridge.labels" -}}
{{ include "databridge.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* Kafka's settings, with the user of one service. Call with (dict "root" $ "secret" "name"). */}}
{{- define "databridge.kafkaEnv" -}}
{{- $kafka := .root.Values.kafka -}}
- name: KAFKA_BROKERS
  value: {{ required "kafka.brokers is not set: give the brokers as host:port, separated by commas" $kafka.brokers | quote }}
- name: KAFKA_TLS
  value: {{ $kafka.tls.enabled | quote }}
{{- if $kafka.tls.caConfigMap }}
- name: KAFKA_TLS_CA_FILE
  value: /etc/databridge/kafka-ca/ca.crt
{{- end }}
{{- if $kafka.sasl.mechanism }}
- name: KAFKA_SASL_MECHANISM
  value: {{ $kafka.sasl.mechanism }}
- name: KAFKA_SASL_USERNAME
  valueFrom:
    secretKeyRef:
      name: {{ required "kafka.sasl.mechanism is set, so each service needs the Secret of its Kafka user: kafka.sasl.fanOutSecret, deliverySecret and controlPlaneSecret" .secret }}
      key: username
- name: KAFKA_SASL_PASSWORD_FILE
  value: /etc/databridge/kafka/password
{{- end }}
{{- end -}}

{{- define "databridge.commonEnv" -}}
- name: EVENT_TYPES
  value: {{ .Values.eventTypes | quote }}
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
- name: HTTP_PORT
  value: "8080"
- name: DRAIN_TIMEOUT
  value: {{ printf "%ds" (int .Values.drainTimeoutSeconds) | quote }}
{{- end -}}

{{/* What delivery and the control plane must agree on. */}}
{{- define "databridge.sharedEnv" -}}
- name: DATABRIDGE_KEYS_FILE
  value: /etc/databridge/keys/keys
{{- with .Values.retry.plan }}
- name: RETRY_PLAN
  value: {{ . | quote }}
{{- end }}
{{- with .Values.retry.window }}
- name: RETRY_WINDOW
  value: {{ . | quote }}
{{- end }}
{{- with .Values.egress.allowCidrs }}
- name: EGRESS_ALLOW_CIDRS
  value: {{ . | quote }}
{{- end }}
{{- with .Values.egress.denyCidrs }}
- name: EGRESS_DENY_CIDRS
  value: {{ . | quote }}
{{- end }}
- name: EGRESS_ALLOW_HTTP
  value: {{ .Values.egress.allowHttp | quote }}
{{- end -}}

{{- define "databridge.extraEnv" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Mounts and volumes of Kafka's files. Call with (dict "root" $ "secret" "name"). */}}
{{- define "databridge.kafkaMounts" -}}
{{- if .root.Values.kafka.tls.caConfigMap }}
- name: kafka-ca
  mountPath: /etc/databridge/kafka-ca
  readOnly: true
{{- end }}
{{- if .root.Values.kafka.sasl.mechanism }}
- name: kafka
  mountPath: /etc/databridge/kafka
  readOnly: true
{{- end }}
- name: tmp
  mountPath: /tmp
{{- end -}}

{{- define "databridge.kafkaVolumes" -}}
{{- if .root.Values.kafka.tls.caConfigMap }}
- name: kafka-ca
  configMap:
    name: {{ .root.Values.kafka.tls.caConfigMap }}
{{- end }}
{{- if .root.Values.kafka.sasl.mechanism }}
- name: kafka
  secret:
    secretName: {{ .secret }}
    items: [{ key: password, path: password }]
{{- end }}
- name: tmp
  emptyDir: { medium: Memory, sizeLimit: 64Mi }
{{- end -}}

{{- define "databridge.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "databridge.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/*
Liveness asks only whether the process answers: a service that waits for Kafka must not be killed for Kafka's sake.
Readiness says whether it does its work now.
*/}}
{{- define "databridge.probes" -}}
startupProbe:
  httpGet: { path: /healthz, port: admin }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /healthz, port: admin }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: admin }
  periodSeconds: 5
  timeoutSeconds: 4
{{- end -}}

{{/* Spread over nodes and zones where there are several. Call with (dict "root" $ "component" "delivery"). */}}
{{- define "databridge.spread" -}}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "databridge.selectorLabels" $ | nindent 6 }}
{{- end }}
{{- end -}}

{{- define "databridge.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
A Deployment. Call with (dict "root" $ "component" "delivery" "values" .Values.delivery "secret" "…" "env" "…" "mounts" "…"
"volumes" "…" "ports" "…" "replicas" bool). "env" and so on are rendered YAML lists.
*/}}
{{- define "databridge.deployment" -}}
{{- $root := .root -}}
{{- $values := .values -}}
{{- $context := dict "root" $root "component" .component "secret" .secret -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "databridge.name" $root }}-{{ .component }}
  labels:
    {{- include "databridge.labels" $context | nindent 4 }}
spec:
  {{- if not .isScaled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  # One pod after the other: each hands its customers over, and events keep flowing through the others.
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxUnavailable: 1, maxSurge: 1 }
  selector:
    matchLabels:
      {{- include "databridge.selectorLabels" $context | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "databridge.labels" $context | nindent 8 }}
      {{- with $values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "databridge.serviceAccountName" $root }}
      automountServiceAccountToken: false
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      terminationGracePeriodSeconds: {{ add $root.Values.drainTimeoutSeconds 15 }}
      securityContext:
        {{- include "databridge.podSecurity" $root | nindent 8 }}
      topologySpreadConstraints:
        {{- include "databridge.spread" $context | nindent 8 }}
      {{- include "databridge.placement" $values | nindent 6 }}
      containers:
        - name: {{ .component }}
          image: {{ include "databridge.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [{{ .component }}]
          securityContext:
            {{- include "databridge.containerSecurity" $root | nindent 12 }}
          ports:
            - { name: admin, containerPort: 8080 }
            {{- .ports | default "" | nindent 12 }}
          env:
            {{- include "databridge.kafkaEnv" $context | nindent 12 }}
            {{- include "databridge.commonEnv" $root | nindent 12 }}
            {{- .env | nindent 12 }}
            {{- include "databridge.extraEnv" $values.env | nindent 12 }}
          {{- include "databridge.probes" $root | nindent 10 }}
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          volumeMounts:
            {{- include "databridge.kafkaMounts" $context | nindent 12 }}
            {{- .mounts | default "" | nindent 12 }}
      volumes:
        {{- include "databridge.kafkaVolumes" $context | nindent 8 }}
        {{- .volumes | default "" | nindent 8 }}
{{- end -}}
