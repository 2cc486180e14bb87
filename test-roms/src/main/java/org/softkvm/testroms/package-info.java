/** The runner of test ROMs and their results. */
package org.softkvm.testroms;
