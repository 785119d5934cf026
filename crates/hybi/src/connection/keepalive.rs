//! The deadlines of an open connection: pings that go out, signs of life that come in, output that moves.
//!
//! Received octets only set a flag; a clock is looked at when a deadline passes and at no other time. So a
//! peer counts as alive by octets, not by frames, and the path of the data knows no time.

use core::time::Duration;

use crate::config::Timeouts;
use crate::ending::Timeout;
use crate::time::Instant;

/// A deadline that may be off, or wait to be told what time it is. One word, for every connection has five of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deadline(u64);

impl Deadline {
    pub(super) const OFF: Self = Self(u64::MAX);
    /// It begins when the time is next told. No deadline is at the beginning of time.
    pub(super) const UNARMED: Self = Self(Instant::ZERO.nanos());

    pub(super) fn at(at: Instant) -> Self {
        Self(at.nanos().clamp(Self::UNARMED.0 + 1, Self::OFF.0 - 1))
    }

    /// When to tell the time.
    pub(super) fn poll(self) -> Option<Instant> {
        (self != Self::OFF).then_some(Instant::from_nanos(self.0))
    }

    /// Begins now if it was not begun.
    pub(super) fn arm(&mut self, now: Instant, duration: Duration) {
        if *self == Self::UNARMED {
            *self = Self::at(now + duration);
        }
    }

    pub(super) fn is_due(self, now: Instant) -> bool {
        self != Self::UNARMED && self != Self::OFF && self.0 <= now.nanos()
    }
}

impl Default for Deadline {
    fn default() -> Self {
        Self::OFF
    }
}

#[derive(Debug)]
pub(super) struct Keepalive {
    next_ping: Deadline,
    /// How many pings went out: the payload of the next is one more.
    pings: u64,
    pong: Deadline,
    idle: Deadline,
    stall: Deadline,
    /// Whether octets arrived since the ping that waits for its pong; since the idle deadline was set.
    alive_since_ping: bool,
    alive_since_idle: bool,
    /// Whether the transport took octets since the stall deadline was set.
    moved: bool,
}

/// What a deadline asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Send a ping with this number.
    Ping(u64),
    /// The peer is silent: begin to close.
    Idle,
    /// Give the connection up.
    GiveUp(Timeout),
}

impl Keepalive {
    pub(super) fn new(timeouts: &Timeouts) -> Self {
        let unarmed = |setting: Option<Duration>| setting.map_or(Deadline::OFF, |_| Deadline::UNARMED);
        Self {
            next_ping: unarmed(timeouts.keepalive),
            pings: 0,
            pong: Deadline::OFF,
            idle: unarmed(timeouts.idle),
            stall: Deadline::OFF,
            alive_since_ping: false,
            alive_since_idle: false,
            moved: false,
        }
    }

    /// Octets arrived.
    #[inline]
    pub(super) fn received(&mut self) {
        (self.alive_since_ping, self.alive_since_idle) = (true, true);
    }

    /// The transport took octets. While more waits behind them that is a sign of life too: a ping may be among
    /// what waits.
    #[inline]
    pub(super) fn transmitted(&mut self, more_waits: bool) {
        self.moved = true;
        self.alive_since_ping |= more_waits;
    }

    /// The ping that was due is on its way: from now on the peer is expected to show that it lives.
    pub(super) fn ping_sent(&mut self, now: Instant, timeouts: &Timeouts) {
        if let (Some(pong), Deadline::OFF) = (timeouts.pong, self.pong) {
            self.pong = Deadline::at(now + pong);
            self.alive_since_ping = false;
        }
    }

    /// Output waits.
    #[inline]
    pub(super) fn output_waits(&mut self, timeouts: &Timeouts) {
        if timeouts.write_stall.is_some() && self.stall == Deadline::OFF {
            (self.stall, self.moved) = (Deadline::UNARMED, false);
        }
    }

    /// The connection is not open any more: nothing but the stall of output matters.
    pub(super) fn stop(&mut self) {
        (self.next_ping, self.pong, self.idle) = (Deadline::OFF, Deadline::OFF, Deadline::OFF);
    }

    /// The transport is over.
    pub(super) fn end(&mut self) {
        self.stop();
        self.stall = Deadline::OFF;
    }

    pub(super) fn poll(&self) -> Option<Instant> {
        [self.next_ping, self.pong, self.idle, self.stall].into_iter().filter_map(Deadline::poll).min()
    }

    /// Serves one deadline that has passed. Call it until there is none.
    pub(super) fn handle(&mut self, now: Instant, timeouts: &Timeouts, output_waits: bool) -> Option<Due> {
        if let Some(interval) = timeouts.keepalive
            && let Some(due) = self.handle_ping(now, interval)
        {
            return Some(due);
        }
        if self.pong.is_due(now) {
            self.pong = Deadline::OFF;
            if !self.alive_since_ping {
                return Some(Due::GiveUp(Timeout::Pong));
            }
        }
        if let Some(limit) = timeouts.idle {
            self.idle.arm(now, limit);
            if self.idle.is_due(now) {
                if !core::mem::take(&mut self.alive_since_idle) {
                    self.idle = Deadline::OFF;
                    return Some(Due::Idle);
                }
                self.idle = Deadline::at(now + limit);
            }
        }
        if let Some(limit) = timeouts.write_stall {
            self.stall.arm(now, limit);
            if self.stall.is_due(now) {
                self.stall = if output_waits { Deadline::at(now + limit) } else { Deadline::OFF };
                if !core::mem::take(&mut self.moved) && output_waits {
                    return Some(Due::GiveUp(Timeout::WriteStall));
                }
            }
        }
        None
    }

    fn handle_ping(&mut self, now: Instant, interval: Duration) -> Option<Due> {
        self.next_ping.arm(now, interval);
        let at = self.next_ping.poll()?;
        if !self.next_ping.is_due(now) {
            return None;
        }
        // On the beat, unless the caller is late by more than one; and never twice at one moment.
        let next =
            [at + interval, now + interval].map(Deadline::at).into_iter().find(|next| !next.is_due(now));
        self.next_ping = next.unwrap_or(Deadline::OFF);
        self.pings += 1;
        Some(Due::Ping(self.pings))
    }
}
