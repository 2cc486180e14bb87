package org.softkvm.testroms.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Runs a ROM and passes its {@link org.softkvm.testroms.RomResult} to the annotated parameter of a test method:
 *
 * <pre>{@code
 * @Test
 * void greets(@Rom("build/hello.elf") RomResult result) {
 *     result.assertStatus(0).assertPrinted("Hello");
 * }
 * }</pre>
 *
 * <p>An image that cannot be read or booted fails the test with the line that the command line would print.
 */
@Target(ElementType.PARAMETER)
@Retention(RetentionPolicy.RUNTIME)
@Documented
@ExtendWith(RomExtension.class)
public @interface Rom {
    /**
     * The image: a file, relative to the working directory; where there is none of that name, a resource on the class
     * path of the test, looked up from the test class.
     *
     * @return path
     */
    String value();

    /**
     * Command line of a kernel.
     *
     * @return text, empty for none
     */
    String append() default "";

    /**
     * Backend of the KVM API.
     *
     * @return auto, emulator or kvm
     */
    String backend() default "auto";

    /**
     * Engine of the emulator.
     *
     * @return auto or a name that {@code softkvm info} lists
     */
    String engine() default "auto";

    /**
     * CPU model.
     *
     * @return name, max for all that is implemented
     */
    String cpu() default "max";

    /**
     * Number of CPUs.
     *
     * @return at least 1
     */
    int cpus() default 1;

    /**
     * RAM in MiB.
     *
     * @return at least 1; 0 for the default of the CPU model
     */
    int memory() default 64;

    /**
     * Host time after which the run ends, with status 124.
     *
     * @return seconds
     */
    int timeout() default 60;
}
