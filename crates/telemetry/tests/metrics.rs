//! The recorder behind `/metrics`.

use telemetry::metric::{self, Kind, METRICS};

#[test]
fn what_is_counted_is_rendered_with_its_meaning() {
    let handle = telemetry::install_metrics().unwrap();
    let again = telemetry::install_metrics().unwrap();
    metrics::counter!(metric::WEBHOOKS_RECEIVED, "outcome" => "applied").increment(2);
    metrics::histogram!(metric::WEBHOOK_DELIVERY_SECONDS, "outcome" => "delivered").record(0.3);
    for text in [handle.render(), again.render()] {
        assert!(text.contains("# HELP reelay_webhooks_received_total Webhooks: applied"), "{text}");
        assert!(text.contains("reelay_webhooks_received_total{outcome=\"applied\"} 2"), "{text}");
        let bucket = "reelay_webhook_delivery_duration_seconds_bucket{outcome=\"delivered\",le=\"0.5\"} 1";
        assert!(text.contains(bucket), "{text}");
    }
}

#[test]
fn names_follow_prometheus_customs() {
    for metric in METRICS {
        assert!(metric.name.starts_with("reelay_"), "{}", metric.name);
        assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
        assert_eq!(metric.name.ends_with("_seconds"), metric.kind == Kind::Histogram, "{}", metric.name);
    }
}
