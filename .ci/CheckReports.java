import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.xml.sax.SAXException;

/**
 * Reads the test reports of every module and fails where a test that should have run did not: a test was skipped for
 * another reason than a missing /dev/kvm or an extension that the binary ABI does not carry, or a test class of the sources has no report.
 *
 * <p>Usage: {@code java CheckReports.java ROOT}
 */
final class CheckReports {
    private CheckReports() {}

    public static void main(String[] args) throws IOException, ParserConfigurationException, SAXException {
        Path root = Path.of(args[0]);
        List<String> problems = new ArrayList<>();
        Map<String, int[]> totals = new TreeMap<>();
        List<Path> modules;
        try (Stream<Path> folders = Files.list(root)) {
            modules = folders.filter(f -> Files.isRegularFile(f.resolve("pom.xml"))).sorted().toList();
        }
        for (Path module : modules) {
            int[] total = {0, 0};
            Set<String> reported = new TreeSet<>();
            for (Path report : files(module.resolve("target/surefire-reports"), "TEST-.*\\.xml")) {
                Element suite = DocumentBuilderFactory.newDefaultInstance()
                        .newDocumentBuilder()
                        .parse(report.toFile())
                        .getDocumentElement();
                int tests = Integer.parseInt(suite.getAttribute("tests"));
                int skipped = Integer.parseInt(suite.getAttribute("skipped"));
                total[0] += tests;
                total[1] += skipped;
                if (tests > skipped) {
                    reported.add(outermost(suite.getAttribute("name")));
                }
                collectSkipped(suite, reported, problems);
            }
            for (Path source : files(module.resolve("src/test/java"), ".*Test\\.java")) {
                String name = module.resolve("src/test/java").relativize(source).toString();
                name = name.substring(0, name.length() - ".java".length()).replace('/', '.');
                if (!reported.contains(name) && !isAbstract(source)) {
                    problems.add(name + " ran no test");
                }
            }
            totals.put(module.getFileName().toString(), total);
        }
        totals.forEach((module, total) ->
                System.out.printf("%-14s %6d tests, %d skipped%n", module, total[0] - total[1], total[1]));
        problems.forEach(problem -> System.out.println("NOT RUN: " + problem));
        int run = totals.values().stream().mapToInt(t -> t[0] - t[1]).sum();
        int skipped = totals.values().stream().mapToInt(t -> t[1]).sum();
        System.out.printf("all modules: %d tests passed, %d skipped%n", run, skipped);
        System.exit(problems.isEmpty() ? 0 : 1);
    }

    private static void collectSkipped(Element suite, Set<String> reported, List<String> problems) {
        var skips = suite.getElementsByTagName("skipped");
        for (int i = 0; i < skips.getLength(); i++) {
            Element skip = (Element) skips.item(i);
            Element test = (Element) skip.getParentNode();
            String reason = skip.getAttribute("message");
            String text = reason.isEmpty() ? skip.getTextContent().strip() : reason;
            if (text.contains("/dev/kvm") || text.contains("has no binary form")) {
                reported.add(outermost(test.getAttribute("classname")));
            } else {
                problems.add(test.getAttribute("classname") + "." + test.getAttribute("name") + " was skipped: "
                        + text.lines().findFirst().orElse("no reason given"));
            }
        }
    }

    /** A nested class has reports of its own, but its source is the outer one. */
    private static String outermost(String className) {
        int dollar = className.indexOf('$');
        return dollar < 0 ? className : className.substring(0, dollar);
    }

    private static boolean isAbstract(Path source) throws IOException {
        String name = source.getFileName().toString().replace(".java", "");
        return Files.readString(source).matches("(?s).*\\b(abstract class|interface|@interface) " + name + "\\b.*");
    }

    private static List<Path> files(Path folder, String pattern) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile)
                    .filter(f -> f.getFileName().toString().matches(pattern))
                    .sorted()
                    .collect(Collectors.toList());
        }
    }
}
