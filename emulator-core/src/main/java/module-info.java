/**
 * The CPU: state, decoder, semantics, interpreter, MMU and guest memory.
 *
 * <p>Only the API package is exported; everything else is free to change.
 */
module org.softkvm.emulator {
    requires org.objectweb.asm;

    exports org.softkvm.emulator;
}
