/** The command line. */
package org.softkvm.vmm.cli;
