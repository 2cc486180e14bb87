/** The API of the emulated CPU. */
package org.softkvm.emulator;
