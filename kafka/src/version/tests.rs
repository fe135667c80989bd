use super::*;

/// Two kinds of requests, a supported feature, the epoch, and two features that were agreed on.
fn answer(level: i16, epoch: i64) -> Vec<u8> {
    let text = |text: &[u8]| [vec![u8::try_from(text.len() + 1).unwrap()], text.to_vec()].concat();
    let feature = |name: &[u8], level: i16| {
        let levels = [level.to_be_bytes(), level.to_be_bytes()].concat();
        [text(name), levels, vec![0]].concat()
    };
    let field = |tag: u8, bytes: Vec<u8>| [vec![tag, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    [
        vec![0, 0, 0, 1, 0, 0],
        vec![3, 0, 0, 0, 0, 0, 9, 0, 0, 18, 0, 0, 0, 4, 1, 9, 1, 7],
        vec![0, 0, 0, 0, 4],
        field(0, [vec![2], feature(b"kraft.version", 1)].concat()),
        field(1, epoch.to_be_bytes().to_vec()),
        field(
            2,
            [
                vec![3],
                feature(b"group.version", 1),
                feature(b"metadata.version", level),
            ]
            .concat(),
        ),
        field(3, vec![0]),
    ]
    .concat()
}

#[test]
fn a_request_is_as_the_protocol_says() {
    let expected = b"\0\0\0\x27\0\x12\0\x03\0\0\0\x01\0\x0cviral-engine\0\x0dviral-engine\x021\0";
    assert_eq!(request(), expected);
}

#[test]
fn the_level_that_was_agreed_on_is_found() {
    assert_eq!(level(&answer(25, 7)), Some(25));
    assert_eq!(level(&answer(25, -1)), None);
    let whole = answer(25, 7);
    for end in 0..whole.len() {
        assert_eq!(level(&whole[..end]), None, "{end}");
    }
    assert_eq!(level(&[&whole[..], &[0]].concat()), None);
    // A broker that does not know this version of the request.
    assert_eq!(level(&[0, 0, 0, 1, 0, 35, 0, 0, 0, 0]), None);
}

#[test]
fn no_bytes_can_do_harm() {
    let whole = answer(25, 7);
    for index in 0..whole.len() {
        for byte in [0, 1, 0x7f, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[index] = byte;
            let _ = level(&changed);
        }
    }
    let endless = [&whole[..6], &[0xff; 64]].concat();
    assert_eq!(level(&endless), None);
}

#[test]
fn levels_are_told_by_their_release() {
    for (level, expected) in [
        (1, "3.0 (level 1)"),
        (7, "3.3 (level 7)"),
        (21, "3.9 (level 21)"),
        (25, "4.0 (level 25)"),
        (29, "4.2 (level 29)"),
        (33, "4.4 (level 33)"),
        (34, "newer than 4.4 (level 34)"),
    ] {
        assert_eq!(MetadataVersion::of(level).unwrap().to_string(), expected);
    }
    assert_eq!(MetadataVersion::of(0), None);
}

#[test]
fn servers_are_written_as_librdkafka_reads_them() {
    for (server, expected) in [
        (" one:1", "one:1"),
        ("one", "one:9092"),
        ("PLAINTEXT://[::1]:1", "[::1]:1"),
    ] {
        assert_eq!(address(server), expected);
    }
}
