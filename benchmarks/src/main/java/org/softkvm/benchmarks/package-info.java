/** JMH benchmarks. */
package org.softkvm.benchmarks;
