using System.Text;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>How a line is cut into fields.</summary>
internal sealed record TextFormat(
    char[] Separators, bool Quoting, bool Trim, bool HasHeader, bool Multiline, char Escape, char DecimalMarker, bool MissingRealsAsNaNs)
{
    public static TextFormat Create(IHost host, TextLoader.Options options)
    {
        host.CheckNonEmpty(options.Separators, nameof(options.Separators), "Must specify a separator");
        if (options.DecimalMarker is not '.' and not ',')
            throw host.ExceptUserArg(nameof(options.DecimalMarker), $"Must be '.' or ',', not '{options.DecimalMarker}'.");
        if (!options.AllowQuoting && options.DecimalMarker == ',' && options.Separators.Contains(','))
            throw host.ExceptUserArg(nameof(options.AllowQuoting), "A comma that is separator and decimal marker needs quoting.");
        if (options.Separators.Contains(options.EscapeChar))
            throw host.ExceptUserArg(nameof(options.EscapeChar), $"The separator '{options.EscapeChar}' cannot be the escape character too.");
        return new TextFormat(
            options.Separators, options.AllowQuoting, options.TrimWhitespace, options.HasHeader && string.IsNullOrWhiteSpace(options.HeaderFile),
            options.AllowQuoting && options.ReadMultilines, options.EscapeChar, options.DecimalMarker, options.MissingRealsAsNaNs);
    }

    /// <summary>Whether a quote is still open at the end of a line.</summary>
    public bool EndsInQuotes(string line)
    {
        for (int i = 0; i <= line.Length;)
        {
            (_, i, bool open) = Next(line, i);
            if (open)
                return true;
        }

        return false;
    }

    public List<string> Split(string line)
    {
        if (Trim)
            line = line.TrimEnd();
        var fields = new List<string>();
        for (int i = 0; i <= line.Length;)
        {
            (string field, i, _) = Next(line, i);
            fields.Add(field);
        }

        return fields;
    }

    private bool IsSeparator(char c) => Array.IndexOf(Separators, c) >= 0;

    private (string Field, int Next, bool OpenQuote) Next(string line, int start)
    {
        bool skipSpaces = !IsSeparator(' ');
        while (skipSpaces && start < line.Length && line[start] == ' ')
            start++;
        if (Quoting && start < line.Length && line[start] == '"')
            return NextQuoted(line, start + 1, skipSpaces);
        int end = line.AsSpan(start).IndexOfAny(Separators);
        end = end < 0 ? line.Length : start + end;
        return (line[start..end], end + 1, false);
    }

    private (string Field, int Next, bool OpenQuote) NextQuoted(string line, int i, bool skipSpaces)
    {
        var text = new StringBuilder();
        bool closed = false;
        for (; i < line.Length && !closed; i++)
        {
            bool escapes = line[i] == Escape && i + 1 < line.Length && line[i + 1] == '"';
            if (escapes)
                text.Append(line[++i]);
            else if (line[i] == '"')
                closed = true;
            else
                text.Append(line[i]);
        }

        // Only spaces may follow the closing quote; a field that breaks this counts as empty.
        bool bad = !closed;
        for (; i < line.Length && !IsSeparator(line[i]); i++)
            bad |= line[i] != ' ' || !skipSpaces;
        return (bad ? "" : text.ToString(), i + 1, !closed);
    }
}
