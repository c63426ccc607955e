//! What zlib has packed, by the standard library of the compiler that builds all this, which reads
//! zlib's own checksum and does not compare it.

const std = @import("std");
const flate = std.compress.flate;

pub const panic = std.debug.no_panic;

var window: [flate.max_window_len]u8 = undefined;
var input: std.Io.Reader = undefined;
var inflating: flate.Decompress = undefined;

export fn inflate_begin(data: [*]const u8, length: usize) void {
    input = .fixed(data[0..length]);
    inflating = .init(&input, .zlib, &window);
}

export fn inflate_next(out: [*]u8, length: usize) bool {
    inflating.reader.readSliceAll(out[0..length]) catch return false;
    return true;
}

export fn checksum(data: [*]const u8, length: usize) u32 {
    return std.hash.Crc32.hash(data[0..length]);
}

/// Whether that was all.
export fn inflate_end() bool {
    var more: [1]u8 = undefined;
    const count = inflating.reader.readSliceShort(&more) catch return false;
    return count == 0;
}
