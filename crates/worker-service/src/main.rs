//! worker-service as a program of its own.

fn main() -> std::process::ExitCode {
    worker_service::run(false)
}
