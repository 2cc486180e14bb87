/**
 * A Zstandard decoder (RFC 8878) without native code and without sun.misc.Unsafe, which the JDK warns of: the known
 * libraries for Java need one or the other.
 */
package org.softkvm.vmm.zstd;
