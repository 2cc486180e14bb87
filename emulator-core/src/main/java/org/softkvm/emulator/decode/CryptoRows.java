package org.softkvm.emulator.decode;

import static org.softkvm.emulator.decode.Operand.Ib;
import static org.softkvm.emulator.decode.Operand.V;
import static org.softkvm.emulator.decode.Operand.W;

import org.softkvm.emulator.simd.Aes;
import org.softkvm.emulator.simd.CarrylessMultiply;
import org.softkvm.emulator.simd.Sha;

/** Rows of the instruction table: AES-NI, PCLMULQDQ, SHA. */
final class CryptoRows {
    private CryptoRows() {}

    static void define(OpTable t) {
        for (String r : new String[] {"DB aesimc", "DC aesenc", "DD aesenclast", "DE aesdec", "DF aesdeclast"}) {
            t.op("66 0F 38 " + r.substring(0, 2), r.substring(3), V, W)
                    .state(Aes.class, r.substring(3))
                    .noFlags()
                    .needs(Feature.AES);
        }
        t.op("66 0F 3A DF", "aeskeygenassist", V, W, Ib)
                .state(Aes.class, "aeskeygenassist")
                .noFlags()
                .needs(Feature.AES);
        t.op("66 0F 3A 44", "pclmulqdq", V, W, Ib)
                .state(CarrylessMultiply.class, "pclmulqdq")
                .noFlags()
                .needs(Feature.PCLMULQDQ);
        for (String r : new String[] {
            "C8 sha1nexte", "C9 sha1msg1", "CA sha1msg2", "CB sha256rnds2", "CC sha256msg1", "CD sha256msg2"
        }) {
            t.op("NP 0F 38 " + r.substring(0, 2), r.substring(3), V, W)
                    .state(Sha.class, r.substring(3))
                    .noFlags()
                    .needs(Feature.SHA);
        }
        t.op("NP 0F 3A CC", "sha1rnds4", V, W, Ib)
                .state(Sha.class, "sha1rnds4")
                .noFlags()
                .needs(Feature.SHA);
    }
}
