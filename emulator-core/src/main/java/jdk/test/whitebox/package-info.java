/** The Java side of an interface of HotSpot; its name is HotSpot's. */
package jdk.test.whitebox;
