/**
 * The translator: regions of guest code become methods of hidden classes. {@link Plan} says what a region is made of,
 * {@link RegionEmitter} writes its bytecode, {@link RegionSupport} and, in narrow regions, {@link GuestAccess}, {@link GuestStack} and
 * {@link GuestCall} are what that bytecode calls.
 */
package org.softkvm.emulator.translate;
