/** What every chip is built on: register access, the address decoder, interrupt lines, saved states. */
package org.softkvm.devices;
