//! Makes the server's half of KurrentDB's protocol, for the fake. No `protoc` is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=protos");
    let files = protox::compile(["streams.proto", "serverfeatures.proto"], ["protos"])?;
    tonic_build::configure().build_client(false).compile_fds(files)?;
    Ok(())
}
