#pragma once

/// The longest message that this client takes. gRPC's default is 4 MiB, and one document may carry a longer array; 64
/// MiB is the most that the server sends.
constexpr int MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
