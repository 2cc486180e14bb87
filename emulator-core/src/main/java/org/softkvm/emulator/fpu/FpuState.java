package org.softkvm.emulator.fpu;

/** The x87 register file, control, status and tag words. */
public final class FpuState {}
