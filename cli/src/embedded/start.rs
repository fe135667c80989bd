//! The way from nothing to a server with our roles and our database, under the lock.
//!
//! Each step looks at what is there, because a kill may have ended an earlier start after any of them.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::PgConnection;

use super::answer::{Answer, ask, provision};
use super::cluster::{Cluster, Start};
use super::error::{Error, log_tail};
use super::home::{self, Home, Memory};
use super::identity::Identity;
use super::lock::Lock;
use super::logins::{Logins, SUPERUSER};
use super::postmaster::Postmaster;
use super::programs::{Programs, Source, Wanted};
use super::{Options, Postgres, Running};

/// How long a living server may be silent before it is taken for hung. One that recovers is not silent.
const SILENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);
/// Below the range from which systems take ports for outgoing connections, so that ours is still free at the next start.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

pub(super) async fn start(options: &Options, source: Source) -> Result<Postgres, Error> {
    let wait = options.wait;
    let home = Home::open(&options.home)?;
    let (lock, holders) = (home.lock(), home.holders());
    let (door, share) = blocking(move || {
        let door = Lock::exclusive(&lock, wait)?;
        // Only those who hold the door ask for all of it, so this waits only for one whose start was given up half-way.
        Ok((door, Lock::shared(&holders, wait)?))
    })
    .await?;

    let mut memory = home.memory()?;
    if memory.is_none() {
        let ours = home.clone();
        blocking(move || ours.set_orphans_aside(wait)).await?;
    }
    let cluster = locate(&home, memory.as_ref(), source).await?;
    let mut memory = memory.take().unwrap_or_else(|| Memory {
        elsewhere: home.elsewhere(&cluster.place),
        port: None,
        version: cluster.programs.version.clone(),
    });
    // Before anything is made there: it has to be found again.
    home.remember(&memory)?;
    let logins = make_data(&home, &cluster).await?;
    let mut share = Some(share);
    let (port, adopted, connection, version) =
        bring_up(&home, &cluster, &logins, memory.port, wait, &mut share).await?;
    // From here on a failure has to stop the server again, which the share does when it is dropped.
    let postgres = Postgres {
        running: Running::new(&cluster.place, &logins, port, version.clone()),
        adopted,
        home,
        cluster,
        wait,
        share,
    };
    // The share needs the door to be given back, so the door has to go first, also when this future is dropped.
    let door = door;
    memory.port = Some(port);
    memory.version = version;
    let finished = match postgres.home.remember(&memory) {
        Ok(()) => provision(connection, &logins).await,
        failed => failed,
    };
    drop(door);
    finished.map(|()| postgres)
}

/// Finds out who runs the server, where, and with which programs.
async fn locate(home: &Home, memory: Option<&Memory>, source: Source) -> Result<Cluster, Error> {
    let known = memory.map(|memory| home.place(memory));
    let identity = Identity::choose(&home::data(&home.place_or_home(known.as_deref())))?;
    let place = match known {
        Some(place) => {
            home.make_place(&place)?;
            if !identity.reaches(&place) {
                return Err(Error::Unreachable {
                    folder: place,
                    user: identity.name().to_owned(),
                });
            }
            place
        }
        None => home.choose_place(&identity)?,
    };
    let wanted = wanted(&home::data(&place))?;
    let programs = Programs::find(source, wanted, &identity, &place).await?;
    Ok(Cluster {
        identity,
        programs,
        place,
    })
}

/// Data bind to the major version that made them.
fn wanted(data: &Path) -> Result<Wanted, Error> {
    let path = data.join("PG_VERSION");
    if !path.exists() {
        return Ok(Wanted::Supported);
    }
    let text = std::fs::read_to_string(&path).map_err(Error::file("read", &path))?;
    let major = text.trim().parse().map_err(|_| Error::Damaged {
        path,
        why: format!("no version: {text:?}"),
    })?;
    Ok(Wanted::Exactly(major))
}

/// The passwords, and data that go with them.
async fn make_data(home: &Home, cluster: &Cluster) -> Result<Logins, Error> {
    let data = cluster.data();
    let logins = match Logins::load(home)? {
        Some(logins) => logins,
        None if data.exists() => {
            return Err(Error::PasswordsLost {
                data,
                path: home.secrets(),
            });
        }
        None => Logins::create(home)?,
    };
    if Postmaster::of(&data)?.is_none() {
        let (cluster, password) = (cluster.clone(), logins.password(SUPERUSER).to_owned());
        blocking(move || {
            cluster.prepare()?;
            if cluster.data().exists() {
                return Ok(());
            }
            cluster.init(&password)
        })
        .await?;
    }
    Ok(logins)
}

/// Adopts the server if it runs and answers; starts it otherwise.
async fn bring_up(
    home: &Home,
    cluster: &Cluster,
    logins: &Logins,
    known: Option<u16>,
    wait: Duration,
    share: &mut Option<Lock>,
) -> Result<(u16, bool, PgConnection, String), Error> {
    if let Some((port, connection, version)) = adopt(home, cluster, logins, wait, share).await? {
        return Ok((port, true, connection, version));
    }
    let mut attempts = 0;
    let mut port = free_port(known)?;
    loop {
        let starting = cluster.clone();
        match blocking(move || starting.start(port, wait)).await? {
            Start::Done => break,
            Start::PortTaken if attempts < 5 => {
                attempts += 1;
                port = free_port(None)?;
            }
            Start::PortTaken => return Err(Error::PortTaken { port }),
        }
    }
    match adopt(home, cluster, logins, wait, share).await? {
        Some((port, connection, version)) => Ok((port, false, connection, version)),
        None => Err(Error::Gone {
            log: log_tail(&cluster.log(), 0),
        }),
    }
}

/// Waits for a living server to answer. None when there is none, or when it was hung, ours alone, and put down.
async fn adopt(
    home: &Home,
    cluster: &Cluster,
    logins: &Logins,
    wait: Duration,
    share: &mut Option<Lock>,
) -> Result<Option<(u16, PgConnection, String)>, Error> {
    let began = Instant::now();
    let mut heard = Instant::now();
    while let Some(alive) = Postmaster::of(&cluster.data())? {
        let answer = match alive.port {
            Some(port) => match ask(port, logins).await? {
                Answer::Ready(connection, version) => return Ok(Some((port, connection, version))),
                other => other,
            },
            None => Answer::Silence("it has no port yet".to_owned()),
        };
        match answer {
            Answer::NotYet(why) if began.elapsed() >= wait => {
                return Err(Error::NotAnswering {
                    pid: alive.pid,
                    waited: wait,
                    why,
                    log: log_tail(&cluster.log(), 0),
                });
            }
            Answer::Silence(why) if heard.elapsed() >= SILENCE.min(wait) => {
                tracing::warn!("PostgreSQL (process {}) is hung: {why}", alive.pid);
                if put_down(home, cluster, wait, share).await? {
                    return Ok(None);
                }
                return Err(Error::HungInUse {
                    pid: alive.pid,
                    waited: heard.elapsed(),
                    why,
                    log: log_tail(&cluster.log(), 0),
                });
            }
            Answer::Silence(_) => {}
            _ => heard = Instant::now(),
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(None)
}

/// Puts a hung server down if nobody else has a share in it. Otherwise it is not ours to kill, and false is the answer:
/// what looks hung from here may be a slow disk that the others wait for. Whoever calls holds the door.
async fn put_down(home: &Home, cluster: &Cluster, wait: Duration, share: &mut Option<Lock>) -> Result<bool, Error> {
    let Some(ours) = share.take() else {
        return Ok(false);
    };
    let (holders, hung) = (home.holders(), cluster.clone());
    // The lock goes along, so that nobody starts a server under our hands when this future is dropped.
    *share = blocking(move || {
        let Some(whole) = ours.last(&holders)? else {
            return Ok(None);
        };
        hung.put_down()?;
        drop(whole);
        Lock::shared(&holders, wait).map(Some)
    })
    .await?;
    Ok(share.is_some())
}

/// The known port while nobody else has it, else another free one.
fn free_port(known: Option<u16>) -> Result<u16, Error> {
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    if let Some(port) = known.filter(free) {
        return Ok(port);
    }
    let mut random = [0_u8; 2];
    getrandom::fill(&mut random).map_err(Error::Random)?;
    // Anywhere in the range, so that clusters that start at once do not all try the same one.
    let span = PORTS.end - PORTS.start;
    let first = u16::from_ne_bytes(random) % span;
    (first..span)
        .chain(0..first)
        .map(|offset| PORTS.start + offset)
        .find(free)
        .ok_or(Error::NoPort)
}

/// Runs what blocks where it may.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await?
}
