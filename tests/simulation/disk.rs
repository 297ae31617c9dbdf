//! A disk that forgets what was not synced when its machine loses power.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use seckill::journal::{Disk, DiskFile, Folder, Writer, Written};

use super::random::Random;

/// The unit in which a disk keeps or loses what was not synced, in bytes.
const SECTOR: usize = 512;

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    /// It is killed. The system keeps what was written.
    Kill,
    /// The machine loses power. Of what was not synced, any sectors may be lost.
    PowerLoss,
}

/// A simulated disk. Every write, sync, cut and change of a name is an operation, at which the
/// process may crash.
#[derive(Debug, Clone, Default)]
pub(crate) struct SimulatedDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    files: Vec<FileState>,
    names: BTreeMap<PathBuf, usize>,
    /// The names after a loss of power, unless later ones reach the disk as well.
    durable_names: BTreeMap<PathBuf, usize>,
    writers: Vec<Writer>,
    operations: u64,
    /// The operation at which the process crashes.
    crash_at: Option<u64>,
    has_crashed: bool,
}

#[derive(Debug, Clone, Default)]
struct FileState {
    content: Vec<u8>,
    durable: Vec<u8>,
    /// What was done since the last sync, in order.
    unsynced: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Cut(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => {
                content.resize(content.len().max(at + bytes.len()), 0);
                content[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Self::Cut(size) => content.resize(*size, 0),
        }
    }

    /// What of it a loss of power leaves: any sectors of a write, or a whole cut.
    fn apply_some(&self, content: &mut Vec<u8>, random: &mut Random) {
        match self {
            Self::Cut(_) if random.chance(2) => self.apply(content),
            Self::Cut(_) => {}
            Self::Write { at, bytes } => {
                // The size may reach the disk without the content.
                if random.chance(2) {
                    content.resize(content.len().max(at + bytes.len()), 0);
                }
                let mut begin = 0;
                while begin < bytes.len() {
                    let in_sector = SECTOR - (at + begin) % SECTOR;
                    let end = (begin + in_sector).min(bytes.len());
                    if random.chance(2) {
                        let part = bytes[begin..end].to_vec();
                        Self::Write { at: at + begin, bytes: part }.apply(content);
                    }
                    begin = end;
                }
            }
        }
    }
}

impl State {
    /// Begins an operation; an error if the process has crashed.
    fn operation(&mut self) -> io::Result<()> {
        self.operations += 1;
        self.has_crashed |= self.crash_at == Some(self.operations);
        match self.has_crashed {
            false => Ok(()),
            true => Err(io::Error::other("the process has crashed")),
        }
    }

    fn change(&mut self, file: usize, change: Change) -> io::Result<()> {
        let begun = self.operation();
        // The crash may come after some of it has been done.
        if begun.is_ok() || self.crash_at == Some(self.operations) {
            let is_done = begun.is_ok() || self.operations.is_multiple_of(2);
            let file = &mut self.files[file];
            if is_done {
                change.apply(&mut file.content);
            }
            file.unsynced.push(change);
        }
        begun
    }

    fn sync(&mut self, file: usize) -> io::Result<()> {
        self.operation()?;
        let file = &mut self.files[file];
        file.durable.clone_from(&file.content);
        file.unsynced.clear();
        Ok(())
    }
}

impl SimulatedDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The process crashes at this operation, counted from 1.
    pub(crate) fn crash_at(&self, operation: Option<u64>) {
        self.state().crash_at = operation;
    }

    pub(crate) fn has_crashed(&self) -> bool {
        self.state().has_crashed
    }

    /// Operations so far.
    pub(crate) fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Lets one of the journals commit what is due. Returns whether anything was.
    pub(crate) fn write(&self, random: &mut Random) -> bool {
        let mut writers = std::mem::take(&mut self.state().writers);
        let mut written = false;
        if !writers.is_empty() {
            let at = random.below(writers.len());
            match writers[at].write_due() {
                Written::Nothing => {}
                Written::Committed => written = true,
                Written::Ended => drop(writers.swap_remove(at)),
            }
        }
        self.state().writers.extend(writers);
        written
    }

    /// The disk that the next process finds.
    pub(crate) fn after(self, crash: Crash, random: &mut Random) -> Self {
        let State { files, names, durable_names, operations, .. } =
            std::mem::take(&mut *self.state());
        let survive = |file: FileState| {
            let mut content = match crash {
                Crash::Kill => file.content,
                Crash::PowerLoss => file.durable,
            };
            if crash == Crash::PowerLoss {
                for change in &file.unsynced {
                    change.apply_some(&mut content, random);
                }
            }
            FileState { durable: content.clone(), content, unsynced: Vec::new() }
        };
        let files: Vec<_> = files.into_iter().map(survive).collect();
        let keeps_names = crash == Crash::Kill || random.chance(2);
        let names = if keeps_names { names } else { durable_names };
        let state =
            State { files, durable_names: names.clone(), names, operations, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }
}

impl Folder for SimulatedDisk {
    fn open(&self, path: &Path) -> io::Result<Option<Box<dyn DiskFile>>> {
        let index = self.state().names.get(path).copied();
        let open = |index| Box::new(OpenFile { disk: self.clone(), index, at: 0 }) as _;
        Ok(index.map(open))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.open(path)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        state.operation()?;
        let index = state.files.len();
        state.files.push(FileState::default());
        state.names.insert(path.to_owned(), index);
        drop(state);
        Ok(Box::new(OpenFile { disk: self.clone(), index, at: 0 }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operation()?;
        let index = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), index);
        Ok(())
    }

    fn free(&self, _: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        if state.names.contains_key(path) {
            state.operation()?;
            state.names.remove(path);
        }
        Ok(())
    }

    fn sync_parent(&self, _: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operation()?;
        state.durable_names = state.names.clone();
        Ok(())
    }
}

impl Disk for SimulatedDisk {
    fn run(&self, writer: Writer) -> io::Result<Option<JoinHandle<()>>> {
        self.state().writers.push(writer);
        Ok(None)
    }
}

/// An open file of a simulated disk.
#[derive(Debug)]
struct OpenFile {
    disk: SimulatedDisk,
    index: usize,
    at: usize,
}

impl Read for OpenFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let state = self.disk.state();
        let rest = state.files[self.index].content.get(self.at..).unwrap_or_default();
        let len = rest.len().min(bytes.len());
        bytes[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }
}

impl Write for OpenFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let change = Change::Write { at: self.at, bytes: bytes.to_vec() };
        self.disk.state().change(self.index, change)?;
        self.at += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for OpenFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(at) = to else { return Err(io::ErrorKind::Unsupported.into()) };
        self.at = at as usize;
        Ok(at)
    }
}

impl DiskFile for OpenFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.index].content.len() as u64)
    }

    fn set_size(&mut self, size: u64) -> io::Result<()> {
        self.disk.state().change(self.index, Change::Cut(size as usize))
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.disk.state().sync(self.index)
    }

    fn sync_all(&mut self) -> io::Result<()> {
        self.disk.state().sync(self.index)
    }

    fn check_place(&self, path: &Path) -> io::Result<()> {
        match self.disk.state().names.get(path) == Some(&self.index) {
            true => Ok(()),
            false => Err(io::Error::other("the file was moved or deleted")),
        }
    }
}
