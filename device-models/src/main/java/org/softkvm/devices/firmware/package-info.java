/** How an emulated machine tells its firmware what it is made of. */
package org.softkvm.devices.firmware;
