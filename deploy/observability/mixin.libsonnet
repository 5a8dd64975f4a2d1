// For those who collect mixins: dashboards and rules as the Helm chart has them.
{
  grafanaDashboards+:: {
    'databridge-overview.json': import '../helm/databridge-events/files/dashboards/overview.json',
    'databridge-customer.json': import '../helm/databridge-events/files/dashboards/customer.json',
    'databridge-intake.json': import '../helm/databridge-events/files/dashboards/intake.json',
    'databridge-workers.json': import '../helm/databridge-events/files/dashboards/workers.json',
    'databridge-platform.json': import '../helm/databridge-events/files/dashboards/platform.json',
    'databridge-slo.json': import '../helm/databridge-events/files/dashboards/slo.json',
  },
  // Alerts and recording rules are in the same groups.
  prometheusAlerts+:: std.parseYaml(importstr '../helm/databridge-events/files/rules.yaml'),
}
