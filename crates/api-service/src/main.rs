//! api-service as a program of its own.

fn main() -> std::process::ExitCode {
    api_service::run(false)
}
