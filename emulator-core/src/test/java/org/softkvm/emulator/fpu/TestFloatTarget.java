package org.softkvm.emulator.fpu;

import java.util.List;

/** What TestFloat's cases are put to: computes an operation by its name in TestFloat. */
interface TestFloatTarget {
    /**
     * Computes one case.
     *
     * @param operation name as in the files of the suite, such as {@code extF80_add}
     * @param rounding rounding mode of {@link FpEnv}
     * @param operands hexadecimal operands
     * @return result and flags in hexadecimal, as the files have them
     */
    String run(String operation, int rounding, String[] operands);

    /** The targets there are. */
    static List<TestFloatTarget> all() {
        return List.of(new HelperTarget(), new X87InstructionTarget());
    }

    /** Whether it computes an operation at all. */
    default boolean supports(String operation) {
        return true;
    }

    /** The flags of TestFloat, from those of x86; DE is not among them. */
    static String flags(int x86) {
        int t = 0;
        t |= (x86 & FpEnv.PE) != 0 ? 1 : 0;
        t |= (x86 & FpEnv.UE) != 0 ? 2 : 0;
        t |= (x86 & FpEnv.OE) != 0 ? 4 : 0;
        t |= (x86 & FpEnv.ZE) != 0 ? 8 : 0;
        t |= (x86 & FpEnv.IE) != 0 ? 16 : 0;
        return "%02X".formatted(t);
    }

    /** The engine and the helpers themselves, without instructions around them. */
    final class HelperTarget implements TestFloatTarget {
        private final FpEnv env = new FpEnv();
        private final Float80 f = new Float80();
        private final Float80Convert convert = new Float80Convert(f);
        private final Float80Remainder remainder = new Float80Remainder(f);

        @Override
        public String run(String operation, int rounding, String[] op) {
            env.rounding = rounding;
            env.flags = 0;
            f.rounding = rounding;
            f.begin();
            if (operation.startsWith("extF80")) {
                return extended(operation.substring(7), op) + " " + flags(f.flags);
            }
            if (operation.endsWith("_to_extF80")) {
                switch (operation.substring(0, 3)) {
                    case "f32" -> convert.fromFloat32(int32(op[0]));
                    case "f64" -> convert.fromFloat64(int64(op[0]));
                    default -> convert.fromInt64(int64(op[0]));
                }
                return result80() + " " + flags(f.flags);
            }
            String result = switch (operation.substring(0, 3)) {
                case "f32" -> single(operation.substring(4), op);
                case "f64" -> twice(operation.substring(4), op);
                case "i32" -> "%016X".formatted(SoftDouble.fromInt32(int32(op[0])));
                default -> throw new AssertionError("unknown operation " + operation);
            };
            return result + " " + flags(env.flags);
        }

        private String result80() {
            return "%04X%016X".formatted(f.signExp, f.sig);
        }

        private String extended(String operation, String[] op) {
            int se = Integer.parseInt(op[0].substring(0, 4), 16);
            long sig = int64(op[0].substring(4));
            int seB = op.length == 1 ? 0 : Integer.parseInt(op[1].substring(0, 4), 16);
            long sigB = op.length == 1 ? 0 : int64(op[1].substring(4));
            switch (operation) {
                case "add" -> f.add(se, sig, seB, sigB);
                case "sub" -> f.subtract(se, sig, seB, sigB);
                case "mul" -> f.multiply(se, sig, seB, sigB);
                case "div" -> f.divide(se, sig, seB, sigB);
                case "sqrt" -> f.squareRoot(se, sig);
                case "rem" -> {
                    do {
                        remainder.remainder(se, sig, seB, sigB, true);
                        se = f.signExp;
                        sig = f.sig;
                    } while (remainder.incomplete);
                }
                case "roundToInt" -> convert.roundToInt(se, sig);
                case "to_f32" -> {
                    return "%08X".formatted(convert.toFloat32(se, sig));
                }
                case "to_f64" -> {
                    return "%016X".formatted(convert.toFloat64(se, sig));
                }
                case "to_i32" -> {
                    return "%08X".formatted((int) convert.toInteger(se, sig, 32, f.rounding));
                }
                case "to_i64" -> {
                    return "%016X".formatted(convert.toInteger(se, sig, 64, f.rounding));
                }
                default -> throw new AssertionError("unknown operation " + operation);
            }
            return result80();
        }

        private String single(String operation, String[] op) {
            int a = int32(op[0]);
            int b = op.length == 1 ? 0 : int32(op[1]);
            if (operation.equals("to_f64")) {
                return "%016X".formatted(SoftFloat.toDouble(env, a));
            }
            return "%08X"
                    .formatted(
                            switch (operation) {
                                case "add" -> SoftFloat.add(env, a, b);
                                case "mul" -> SoftFloat.multiply(env, a, b);
                                case "div" -> SoftFloat.divide(env, a, b);
                                case "sqrt" -> SoftFloat.squareRoot(env, a);
                                default -> throw new AssertionError("unknown operation " + operation);
                            });
        }

        private String twice(String operation, String[] op) {
            long a = int64(op[0]);
            long b = op.length == 1 ? 0 : int64(op[1]);
            return switch (operation) {
                case "add" -> "%016X".formatted(SoftDouble.add(env, a, b));
                case "mul" -> "%016X".formatted(SoftDouble.multiply(env, a, b));
                case "div" -> "%016X".formatted(SoftDouble.divide(env, a, b));
                case "sqrt" -> "%016X".formatted(SoftDouble.squareRoot(env, a));
                case "to_f32" -> "%08X".formatted(SoftDouble.toFloat(env, a));
                case "to_i32" -> "%08X".formatted(SoftDouble.toInt32(env, a, false));
                case "eq" -> SoftDouble.compare(env, a, b, true) == 0 ? "1" : "0";
                case "lt" -> SoftDouble.compare(env, a, b, false) == -1 ? "1" : "0";
                default -> throw new AssertionError("unknown operation " + operation);
            };
        }

        private static int int32(String hex) {
            return Integer.parseUnsignedInt(hex, 16);
        }

        private static long int64(String hex) {
            return Long.parseUnsignedLong(hex, 16);
        }
    }
}
