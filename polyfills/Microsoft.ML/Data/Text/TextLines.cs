namespace Microsoft.ML.Data;

/// <summary>The lines of files that hold data: neither empty nor comments, nor the header of each file.</summary>
internal sealed class TextLines(TextFormat format, IMultiStreamSource source, bool hasHeader)
{
    public IEnumerable<(long Number, string Text)> Read()
    {
        for (int file = 0; file < source.Count; file++)
        {
            using TextReader reader = source.OpenTextReader(file);
            bool first = true;
            long number = 0;
            while (reader.ReadLine() is { } line)
            {
                number++;
                // A number sign starts a comment at the top of a file only.
                if (line.Length == 0 || line.StartsWith("//", StringComparison.Ordinal) || (first && line[0] == '#'))
                    continue;
                while (format.Multiline && format.EndsInQuotes(line))
                {
                    string more = reader.ReadLine()
                        ?? throw new EndOfStreamException($"The quote that opens on line {number} is never closed.");
                    line = $"{line}\n{more}";
                }

                bool isHeader = first && hasHeader;
                first = false;
                if (!isHeader)
                    yield return (number, line);
            }
        }
    }
}
