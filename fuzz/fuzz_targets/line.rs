//! Any text is an event's line or is refused; what is accepted is written again byte for byte, since its hash is proof.

#![no_main]

use libfuzzer_sys::fuzz_target;
use viral_store::line;

fuzz_target!(|text: &str| {
    let Ok(line) = line::parse(text) else { return };
    assert_eq!(line::to_line(&line.event, &line.source).as_deref(), Ok(text));
    assert!(
        viral_store::canonical::check_object(text).is_ok(),
        "{text:?} is not canonical"
    );
    assert!(!text.contains(['\n', '\r']));
});
