//! The services as programs of their own, as a deployment starts them: without the launcher, on PostgreSQL.

use crate::harness::{Backend, Build};

#[tokio::test]
async fn the_services_own_programs_do_the_job_and_stop_in_order() {
    let build = Build { own_programs: true, ..Build::on(Backend::Postgres) };
    let mut system = build.quick(&[]).start().await;
    let user = system.user().await;
    let prompt = "a boat of two programs";
    let ordered = user.order(prompt).await;
    let done = user.until(&ordered, "completed").await;
    user.check_video(&done, 1280, 720, 4.0).await;
    assert_eq!(system.submissions(prompt).await, 1);
    for name in ["api", "worker"] {
        let status = system.process(name).stop().await;
        assert!(status.success(), "{name}: {status}");
    }
    let stopped = system.events().into_iter().filter(|event| event["message"] == "[SERVICE] Stopped");
    let stopped: std::collections::BTreeSet<_> =
        stopped.map(|event| event["service"].as_str().unwrap().to_owned()).collect();
    assert!(stopped.contains("api-service") && stopped.contains("worker-service"), "{stopped:?}");
}
