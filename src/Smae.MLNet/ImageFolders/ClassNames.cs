namespace Smae.MLNet;

/// <summary>The names that people read, of classes whose folders are named otherwise: from a list that lies beside the folders, or beside the split.</summary>
internal static class ClassNames
{
    private static readonly string[] s_lists = ["words.txt", "classes.txt", "class_names.txt", "labels.txt", "synset_words.txt", "LOC_synset_mapping.txt"];

    /// <summary>Puts names in the place of labels that a list has. Of two classes of one name each keeps its label behind it.</summary>
    public static void Apply(List<ImageFolderRow> rows, IEnumerable<string> folders)
    {
        string[] labels = [.. rows.Select(r => r.Label).Where(l => l.Length > 0).Distinct().Order(StringComparer.Ordinal)];
        foreach (string list in folders.SelectMany(folder => s_lists.Select(name => Path.Combine(folder, name))).Where(File.Exists))
        {
            Dictionary<string, string> names = Read(list, labels);
            if (names.Count == 0) continue;
            var shared = labels.GroupBy(l => names.GetValueOrDefault(l, l)).Where(g => g.Count() > 1).SelectMany(g => g).ToHashSet();
            foreach (ImageFolderRow row in rows)
                if (names.TryGetValue(row.Label, out string? name)) row.Label = shared.Contains(row.Label) ? $"{name} ({row.Label})" : name;
            return;
        }
    }

    /// <summary>
    /// Lines of a label, a separator and its name, of which the first of several counts ("n02669723", tab, "academic gown, academic robe"); or names alone,
    /// where the labels are their numbers, from 0 or 1.
    /// </summary>
    private static Dictionary<string, string> Read(string path, string[] labels)
    {
        string[] lines = [.. File.ReadLines(path).Select(l => l.Trim()).Where(l => l.Length > 0)];
        var names = new Dictionary<string, string>();
        foreach (string line in lines)
        {
            int end = line.Contains('\t') ? line.IndexOf('\t') : line.IndexOfAny([' ', ',', ':', ';', '=']);
            if (end > 0 && labels.Contains(line[..end]) && line[end..].Split([',', ';'], StringSplitOptions.RemoveEmptyEntries) is [var first, ..])
                names.TryAdd(line[..end], first.Trim(' ', '\t', ':', '=', '"', '\''));
        }
        int from = labels.Contains("0") ? 0 : 1;
        if (names.Count == 0 && labels.All(l => int.TryParse(l, out int i) && i >= from && i - from < lines.Length))
            foreach (string label in labels) names[label] = lines[int.Parse(label) - from];
        return names;
    }
}
