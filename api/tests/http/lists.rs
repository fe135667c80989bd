//! Lists in pages: nothing is left out, nothing is there twice, and cursors belong to their list.

use crate::support::Api;
use serde_json::{Value, json};

/// All entries of a list, page by page, and how many pages there were.
async fn walk(api: &Api, path: &str, field: &str) -> (Vec<Value>, usize) {
    let separator = if path.contains('?') { '&' } else { '?' };
    let (mut entries, mut pages, mut cursor) = (Vec::new(), 0, None::<String>);
    loop {
        let next = cursor
            .as_ref()
            .map_or(String::new(), |cursor| format!("{separator}cursor={cursor}"));
        let page = api.get_json(&format!("{path}{next}")).await;
        entries.extend(page[field].as_array().unwrap().iter().cloned());
        pages += 1;
        match page.get("next_cursor") {
            Some(next) => cursor = Some(next.as_str().unwrap().to_owned()),
            None => return (entries, pages),
        }
    }
}

fn texts<'a>(entries: &'a [Value], field: &str) -> Vec<&'a str> {
    entries.iter().map(|entry| entry[field].as_str().unwrap()).collect()
}

#[tokio::test]
async fn accounts_come_sorted_and_by_prefix() {
    let api = Api::new().await;
    for account in ["shop:2", "shop", "zoo", "shop:10", "shopping", "a", "shop:1"] {
        api.post("/v1/ledger/accounts", json!({"account": account, "asset": "USD"}))
            .await;
    }
    let list = async |query: &str| -> (Vec<String>, usize) {
        let (entries, pages) = walk(&api, &format!("/v1/ledger/accounts?{query}"), "accounts").await;
        (
            texts(&entries, "account").into_iter().map(str::to_owned).collect(),
            pages,
        )
    };
    let sorted = ["a", "shop", "shop:1", "shop:10", "shop:2", "shopping", "zoo"];
    for (limit, pages) in [(1, 7), (2, 4), (3, 3), (6, 2), (7, 1), (500, 1)] {
        let (accounts, count) = list(&format!("limit={limit}")).await;
        assert_eq!(
            (accounts.as_slice(), count),
            (&sorted.map(str::to_owned)[..], pages),
            "{limit}"
        );
    }
    for limit in [1, 2, 100] {
        assert_eq!(list(&format!("limit={limit}&prefix=shop")).await.0, &sorted[1..6]);
        assert_eq!(list(&format!("limit={limit}&prefix=shop:")).await.0, &sorted[2..5]);
        assert_eq!(list(&format!("limit={limit}&prefix=shop:1")).await.0, &sorted[2..4]);
        assert_eq!(list(&format!("limit={limit}&prefix=b")).await.0, [] as [&str; 0]);
    }
}

#[tokio::test]
async fn transactions_and_holds_come_in_pages() {
    let api = Api::with_money().await;
    for _ in 0..6 {
        api.transfer("alice", "bob", "1").await;
        api.post(
            "/v1/ledger/holds",
            json!({"account": "alice", "amount": "1", "asset": "USD"}),
        )
        .await;
    }
    for (limit, pages) in [(1, 7), (3, 3), (100, 1)] {
        let (entries, count) = walk(&api, &format!("/v1/ledger/transactions?limit={limit}"), "transactions").await;
        // After the last transaction comes a hold, so the end of the log is only seen by one more page.
        let count = if limit == 1 { count - 1 } else { count };
        assert_eq!(
            (texts(&entries, "position"), count),
            (vec!["5", "6", "8", "10", "12", "14", "16"], pages)
        );
    }
    for (limit, pages) in [(1, 6), (4, 2), (6, 1)] {
        let (entries, count) = walk(&api, &format!("/v1/ledger/holds?limit={limit}"), "holds").await;
        let mut ids = texts(&entries, "id");
        assert_eq!((ids.len(), count), (6, pages));
        ids.dedup();
        assert_eq!(ids.len(), 6);
        assert!(ids.is_sorted());
    }
}

#[tokio::test]
async fn a_scan_for_transactions_is_bounded_and_goes_on_with_its_cursor() {
    use viral_ledger::{Address, Asset, Command, NormalSide};
    let api = Api::new().await;
    for n in 0..10_050 {
        api.command(Command::OpenAccount {
            account: Address::parse(&format!("n:{n}")).unwrap(),
            asset: Asset::parse("USD").unwrap(),
            normal_side: NormalSide::Credit,
            may_go_negative: true,
        })
        .await;
    }
    api.transfer("n:0", "n:1", "1").await;
    let first = api.get_json("/v1/ledger/transactions").await;
    assert_eq!(first["transactions"], json!([]));
    let (entries, pages) = walk(&api, "/v1/ledger/transactions", "transactions").await;
    assert_eq!((texts(&entries, "position"), pages), (vec!["10051"], 2));
}

#[tokio::test]
async fn cursors_and_limits_that_make_no_sense_are_refused() {
    let api = Api::with_money().await;
    let lists = ["accounts", "transactions", "trial-balance", "holds"];
    for list in lists {
        let path = format!("/v1/ledger/{list}");
        for limit in ["0", "-1", "501", "ten", "", "1.5", "+5", "99999999999999999999999"] {
            let answer = api.get(&format!("{path}?limit={limit}")).await;
            assert_eq!(answer.problem(), (400, "invalid_limit".to_owned()), "{limit}");
        }
        for cursor in ["", "x", "zz", "00", "612f", "%00", "742f393939", "622f39392f61"] {
            let answer = api.get(&format!("{path}?cursor={cursor}")).await;
            let expected = match (list, cursor) {
                // A position that is not there yet, in a cursor that has the right form.
                ("trial-balance", "622f39392f61") => "as_of_beyond_head",
                _ => "invalid_cursor",
            };
            assert_eq!(answer.problem(), (400, expected.to_owned()), "{list} {cursor}");
        }
    }
    // A cursor of another list.
    let cursor = api.get_json("/v1/ledger/accounts?limit=1").await["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    for list in &lists[1..] {
        let answer = api.get(&format!("/v1/ledger/{list}?cursor={cursor}")).await;
        assert_eq!(answer.problem(), (400, "invalid_cursor".to_owned()), "{list}");
    }
    for prefix in ["a%20b", "%C3%A9", "a/b", &"x".repeat(201)] {
        let answer = api.get(&format!("/v1/ledger/accounts?prefix={prefix}")).await;
        assert_eq!(answer.problem(), (400, "invalid_query".to_owned()), "{prefix}");
    }
    for (query, code) in [("account=a%20b", "invalid_address"), ("code=Fee", "invalid_code")] {
        let answer = api.get(&format!("/v1/ledger/transactions?{query}")).await;
        assert_eq!(answer.problem(), (400, code.to_owned()), "{query}");
    }
}
