//! WebSocket client and server over blocking sockets.
