/** Random guest programs on every backend and engine, their states compared: the differential runner. */
package org.softkvm.testroms.differential;
