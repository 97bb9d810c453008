//! The simulated provider as a program of its own.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    veo_simulator::command::run().await
}
