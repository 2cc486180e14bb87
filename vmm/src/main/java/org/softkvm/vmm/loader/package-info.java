/** Recognises guest images, loads them into guest RAM and says in which state the first CPU starts. */
package org.softkvm.vmm.loader;
