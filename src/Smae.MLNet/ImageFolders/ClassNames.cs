using System.Globalization;
using System.Text.RegularExpressions;

namespace Smae.MLNet;

/// <summary>
/// The names that people read, of classes whose folders are named otherwise: from a list that lies beside the folders, or beside the split; without one, from
/// the folders' own names where all are numbered ("001.Black_footed_Albatross").
/// </summary>
/// <param name="warn">Told what a list lacks, and why one is not used, with count and example.</param>
internal sealed partial class ClassNames(Action<string> warn)
{
    private static readonly string[] s_lists = ["words.txt", "classes.txt", "class_names.txt", "labels.txt", "synset_words.txt", "LOC_synset_mapping.txt"];

    /// <summary>What may stand between a label and its name; the first of these that makes a label of what is before it.</summary>
    private static readonly char[][] s_separators = [['\t'], [',', ';', ':', '='], [' ']];

    /// <summary>Puts names in the place of labels that have one. Of two classes of one name each keeps its label behind it.</summary>
    /// <param name="all">The labels of the whole data set, also of splits that the rows are not of: each split gives a class the same name.</param>
    public void Apply(List<ImageFolderRow> rows, IEnumerable<string> all, IEnumerable<string> folders)
    {
        string[] labels = [.. all.Where(l => l.Length > 0).Distinct().Order(StringComparer.Ordinal)];
        if (labels.Length == 0) return;
        IEnumerable<string> lists = folders.Distinct().SelectMany(folder => s_lists.Select(name => Path.Combine(folder, name))).Where(File.Exists);
        Dictionary<string, string> names = lists.Select(list => Read(list, labels)).FirstOrDefault(found => found.Count > 0)
            ?? (labels.All(Number().IsMatch) ? labels.ToDictionary(l => l, l => Number().Replace(l, "").Replace('_', ' ')) : []);
        if (names.Count == 0) return;
        var shared = labels.GroupBy(l => names.GetValueOrDefault(l, l)).Where(g => g.Count() > 1).SelectMany(g => g).ToHashSet();
        foreach (ImageFolderRow row in rows)
            if (names.TryGetValue(row.Label, out string? name)) row.Label = shared.Contains(row.Label) ? $"{name} ({row.Label})" : name;
    }

    /// <summary>
    /// Lines of a label, a separator and its name, of which the first of several counts ("n02669723", tab, "academic gown, academic robe"); or names alone, a
    /// line each or with commas between, where the labels are their numbers, from 0 or 1, or are as many and have one order.
    /// </summary>
    private Dictionary<string, string> Read(string path, string[] labels)
    {
        string[] lines = [.. File.ReadLines(path).Select(l => ImageFolderRow.Composed(l.Trim())).Where(l => l.Length > 0)];
        var known = labels.ToHashSet();
        var names = new Dictionary<string, string>();
        List<string> repeated = [];
        foreach (string line in lines)
        {
            int end = s_separators.Select(separator => line.IndexOfAny(separator)).FirstOrDefault(i => i > 0 && known.Contains(line[..i].TrimEnd()), -1);
            if (end < 0 || line[end..].Split([',', ';', '\t'], StringSplitOptions.RemoveEmptyEntries) is not [var first, ..]) continue;
            (string label, string name) = (line[..end].TrimEnd(), first.Trim(' ', ':', '=', '"', '\''));
            if (name.Length > 0 && !names.TryAdd(label, name) && names[label] != name) repeated.Add(label);
        }
        if (repeated.Count > 0)
            warn($"{path} names {repeated.Count} of the classes more than once, for example '{repeated[0]}': the first name is taken, '{names[repeated[0]]}'.");
        if (names.Count == 0) return InOrder(path, lines is [var only] && only.Split(',') is { Length: > 1 } list ? [.. list.Select(n => n.Trim())] : lines, labels);
        string[] missing = [.. labels.Where(l => !names.ContainsKey(l))];
        if (missing.Length > 0)
            warn($"{path} has no name for {missing.Length} of {labels.Length} classes, for example '{missing[0]}': they keep the names of their folders.");
        return names;
    }

    private Dictionary<string, string> InOrder(string path, string[] lines, string[] labels)
    {
        int from = labels.Contains("0") ? 0 : 1;
        if (labels.All(l => int.TryParse(l, NumberStyles.None, CultureInfo.InvariantCulture, out int i) && i >= from && i - from < lines.Length))
            return labels.ToDictionary(l => l, l => lines[int.Parse(l, CultureInfo.InvariantCulture) - from]);
        if (lines.Any(line => labels.Contains(line) || labels.Contains(line[(line.IndexOfAny([' ', '\t', ',']) + 1)..].Trim()))) return [];   // the folders' own names
        string reason = lines.Length != labels.Length ? $"has {lines.Length} lines, of which none begins with one of the {labels.Length} classes"
            : !labels.SequenceEqual(labels.OrderBy(l => Digits().Replace(l, d => d.Value.PadLeft(12, '0')), StringComparer.Ordinal))
                ? "has names alone, and the folders another order by their numbers than by their letters" : "";
        if (reason.Length == 0) return labels.Zip(lines).ToDictionary(pair => pair.First, pair => pair.Second);
        warn($"{path} {reason}, for example '{labels[^1]}': its names are not used. Expected lines of a folder's name, a tab and the name of the class.");
        return [];
    }

    [GeneratedRegex(@"^\d+[._ -]+(?=\p{L})")]
    private static partial Regex Number();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Digits();
}
