package org.softkvm.testroms.parity;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The same guest program on every backend: interpreter, translator, the emulator behind the binary ABI, and /dev/kvm where
 * the machine has one. What a machine's /dev/kvm cannot do is skipped with its category and its proof: an exit that says
 * that an instruction is missing, a capability that is 0, or a {@link Probe} that failed.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedTest
@EnumSource(Backend.class)
@interface EveryBackend {}
