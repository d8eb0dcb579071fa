//! The thread that writes: to a file, to a named pipe whether somebody reads it or not, or to the standard output.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::Duration;

use super::queue::Queue;

/// How long to wait before looking again whether somebody reads, or whether it is the end.
const PAUSE: Duration = Duration::from_millis(100);
/// A pipe that can be written takes so much at once without a wait: POSIX's PIPE_BUF on Linux.
const PIPE_BUF: usize = 4096;

/// Where lines go.
#[derive(Debug)]
pub(super) enum Target {
    File(File),
    /// A named pipe, open while somebody reads it.
    Pipe(PathBuf, Option<File>),
}

impl Target {
    /// `path`, or the standard output where it is `-`. A file is made anew, a named pipe is opened later.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        if path.as_os_str() == "-" {
            use std::os::fd::AsFd;
            let output = io::stdout().as_fd().try_clone_to_owned()?;
            return Ok(Self::File(File::from(output)));
        }
        let is_pipe = fs::metadata(&path).is_ok_and(|there| there.file_type().is_fifo());
        if is_pipe {
            return Ok(Self::Pipe(path, None));
        }
        Ok(Self::File(File::create(path)?))
    }

    /// Writes the lines of `queue` until its end.
    pub(super) fn serve(mut self, queue: &Queue) {
        survive_broken_pipes();
        let mut complained = false;
        while let Some(line) = queue.next() {
            let written = self.write(&line, queue);
            queue.done(line, written.is_ok());
            match written {
                Ok(()) => complained = false,
                // Nobody takes it: nobody will take what comes after it either.
                Err(_) if queue.is_closed() => break,
                Err(_) if complained => (),
                Err(error) => {
                    complained = true;
                    queue.complain(error.to_string());
                }
            }
        }
    }

    fn write(&mut self, line: &[u8], queue: &Queue) -> io::Result<()> {
        match self {
            Self::File(file) => write_all(file, line, queue),
            Self::Pipe(path, open) => {
                let mut file = match open.take() {
                    Some(file) => file,
                    None => open_pipe(path, queue)?,
                };
                write_all(&mut file, line, queue)?;
                // After an error, which is that the reader has gone, it is opened anew.
                *open = Some(file);
                Ok(())
            }
        }
    }
}

/// Opens the named pipe as soon as somebody reads it.
fn open_pipe(path: &PathBuf, queue: &Queue) -> io::Result<File> {
    loop {
        let opened = OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path);
        match opened {
            Err(error) if error.raw_os_error() == Some(libc::ENXIO) => {
                if queue.pause(PAUSE) {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            opened => return opened,
        }
    }
}

/// Writes all of `line`, waiting for a slow reader unless it is the end.
fn write_all(file: &mut File, line: &[u8], queue: &Queue) -> io::Result<()> {
    let mut rest = line;
    while !rest.is_empty() {
        if !can_write(file)? {
            if queue.is_closed() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            continue;
        }
        match file.write(&rest[..rest.len().min(PIPE_BUF)]) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => (),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether a write would not wait, asked for a while.
fn can_write(file: &File) -> io::Result<bool> {
    let mut asked = libc::pollfd {
        fd: file.as_raw_fd(),
        events: libc::POLLOUT,
        revents: 0,
    };
    // SAFETY: one descriptor, which is open.
    let ready = unsafe { libc::poll(&mut asked, 1, PAUSE.as_millis() as libc::c_int) };
    match ready {
        -1 => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            error => Err(error),
        },
        // An error of the descriptor counts as ready: the write says which.
        ready => Ok(ready > 0),
    }
}

/// Makes a pipe without a reader an error of this thread, where it would end the program: libraries of Rust get no
/// such protection from Rust's start-up.
fn survive_broken_pipes() {
    // SAFETY: a set of signals, made empty before it is used, for this thread only.
    unsafe {
        let mut signals = std::mem::zeroed();
        libc::sigemptyset(&mut signals);
        libc::sigaddset(&mut signals, libc::SIGPIPE);
        libc::pthread_sigmask(libc::SIG_BLOCK, &signals, std::ptr::null_mut());
    }
}
