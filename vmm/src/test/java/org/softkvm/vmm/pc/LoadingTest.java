package org.softkvm.vmm.pc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.loader.LoadedGuest;

@Timeout(60)
class LoadingTest {
    private static LoadedGuest guest() throws VmmException {
        byte[] bootSector = new byte[512];
        bootSector[510] = 0x55;
        bootSector[511] = (byte) 0xAA;
        return Pc.load(PcConfig.builder(new GuestFile("boot", bootSector)).build());
    }

    @Test
    void whatIsLoadedIsWrittenBeforeTheWaitEnds() throws VmmException {
        LoadedGuest guest = guest();
        AtomicReference<LoadedGuest> written = new AtomicReference<>();
        AtomicReference<Thread> writer = new AtomicReference<>();
        Loading loading = Loading.start(() -> guest).then(ready -> {
            written.set(ready);
            writer.set(Thread.currentThread());
        });
        assertThat(loading.await()).isSameAs(guest);
        assertThat(written.get()).isSameAs(guest);
        assertThat(writer.get()).isNotSameAs(Thread.currentThread());
    }

    @Test
    void anErrorArrivesAsItWasThrown() {
        VmmException damaged = new VmmException("damaged");
        Loading loading = Loading.start(() -> {
            throw damaged;
        });
        assertThatThrownBy(() -> loading.then(ready -> {}).await()).isSameAs(damaged);
        IllegalStateException full = new IllegalStateException("full");
        assertThatThrownBy(() -> Loading.of(guest())
                        .then(ready -> {
                            throw full;
                        })
                        .await())
                .isSameAs(full);
    }

    @Test
    void nothingIsWrittenIntoAMachineThatIsGivenUp() throws VmmException, InterruptedException {
        LoadedGuest guest = guest();
        CountDownLatch loaded = new CountDownLatch(1);
        StringBuffer calls = new StringBuffer();
        Loading loading = Loading.start(() -> {
                    loaded.await();
                    return guest;
                })
                .then(ready -> calls.append("written"));
        loading.abandon();
        loaded.countDown();
        assertThat(loading.await()).isSameAs(guest);
        assertThat(calls).isEmpty();
    }

    @Test
    void whoGivesUpWaitsForAWriteThatHasBegun() throws VmmException, InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        StringBuffer calls = new StringBuffer();
        Loading loading = Loading.of(guest()).then(ready -> {
            begun.countDown();
            try {
                goOn.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            calls.append("written ");
        });
        begun.await();
        Thread givesUp = Thread.ofPlatform().start(() -> {
            loading.abandon();
            calls.append("abandoned");
        });
        goOn.countDown();
        givesUp.join();
        assertThat(calls.toString()).isEqualTo("written abandoned");
    }
}
