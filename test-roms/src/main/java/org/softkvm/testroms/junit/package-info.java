/** Running ROMs from JUnit: {@link org.softkvm.testroms.junit.Rom}. */
package org.softkvm.testroms.junit;
