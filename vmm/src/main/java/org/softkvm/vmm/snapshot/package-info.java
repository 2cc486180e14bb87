/**
 * The file of a snapshot: its frames, and how records become fields of it.
 *
 * <p>The file is a sequence of Zstandard frames (RFC 8878), so {@code zstd -d} shows what it holds. It begins with a
 * skippable frame of 24 bytes: the text {@code SoftKVM snapshot}, the version of the format and a 0, 4 bytes each. Then
 * comes the content in pieces of 1 MiB: each a skippable frame with its compressed and its plain size, 4 bytes each, and a
 * Zstandard frame with its checksum. At the end stands a skippable frame with the size of the whole content and a digest
 * of all frames, 8 bytes each. All numbers are little-endian.
 */
package org.softkvm.vmm.snapshot;
