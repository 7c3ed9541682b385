namespace Smae.MLNet;

/// <summary>A text file of a data set, one record a line, its fields between separators.</summary>
internal static class AnnotationFile
{
    /// <summary>
    /// The records of <paramref name="path"/>, each with at least <paramref name="fields"/> fields that are not blank. Empty lines are
    /// passed over.
    /// </summary>
    /// <exception cref="InvalidDataException">A line has too few fields: the message names file and line.</exception>
    public static IEnumerable<string[]> Read(string path, char separator, int fields, string expected)
    {
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            if (line.Length == 0)
                continue;
            string[] found = line.Split(separator);
            if (found.Length < fields || found.Take(fields).Any(string.IsNullOrWhiteSpace))
                throw Malformed(path, number, expected, line);
            yield return found;
        }
    }

    /// <summary>The records of a file whose lines are a number, a space and a value: the values by number.</summary>
    /// <exception cref="InvalidDataException">A line is malformed or a number stands there twice: the message names file and line.</exception>
    public static Dictionary<int, string> ReadNumbered(string path, string expected, Predicate<string> isValue)
    {
        var records = new Dictionary<int, string>();
        int line = 0;
        foreach (string text in File.ReadLines(path))
        {
            line++;
            if (text.Length == 0)
                continue;
            int space = text.IndexOf(' ');
            string value = text[(space + 1)..].Trim();
            if (space < 0 || !int.TryParse(text.AsSpan(0, space), out int number) || !isValue(value))
                throw Malformed(path, line, expected, text);
            if (!records.TryAdd(number, value))
                throw new InvalidDataException($"{path}, line {line}: the number {number} stands there for the second time.");
        }
        return records;
    }

    private static InvalidDataException Malformed(string path, int line, string expected, string found) =>
        new($"{path}, line {line}: expected {expected}, found '{found}'.");
}
