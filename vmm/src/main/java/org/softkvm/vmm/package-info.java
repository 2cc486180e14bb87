/** The PC: board, loaders and run loop. */
package org.softkvm.vmm;
