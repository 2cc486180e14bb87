package org.softkvm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CodeNotesTest {
    private final CodeNotes notes = new CodeNotes();
    private final List<String> seen = new ArrayList<>();

    private final CodeNotes.Reader reader = new CodeNotes.Reader() {
        @Override
        public void marked(long hostPage) {
            seen.add("marked " + hostPage);
        }

        @Override
        public void written(long host, long length) {
            seen.add("written " + host + " " + length);
        }

        @Override
        public void everything() {
            seen.add("everything");
        }
    };

    @Test
    void notesComeInOrderAndAreCounted() {
        notes.marked(4096);
        notes.written(5000, 4);
        assertThat(notes.posted()).isEqualTo(2);
        assertThat(notes.served()).isZero();
        notes.serve(reader);
        assertThat(seen).containsExactly("marked 4096", "written 5000 4");
        assertThat(notes.served()).isEqualTo(2);
        notes.serve(reader);
        assertThat(seen).hasSize(2);
    }

    @Test
    void tooManyNotesBecomeOneThatConcernsEverything() {
        for (int k = 0; k < 100_000; k++) {
            notes.written(k, 1);
        }
        notes.serve(reader);
        assertThat(seen).containsExactly("everything");
        assertThat(notes.served()).isEqualTo(100_000);
        notes.written(7, 1);
        notes.serve(reader);
        assertThat(seen).containsExactly("everything", "written 7 1");
    }
}
