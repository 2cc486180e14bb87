/** The backend that runs a virtual machine on the emulated CPU. */
package org.softkvm.kvm.emulator;
