/** The test ROMs ({@link org.softkvm.testroms.RomCatalogue}) and their runner ({@link org.softkvm.testroms.RomRunner}). */
package org.softkvm.testroms;
