using System.CommandLine;

namespace Examples;

/// <summary>What options of a command line take.</summary>
internal static class Requirement
{
    /// <summary>
    /// Refuses a value that cannot be read, or is not as it has to be, before anything is done. The message names the option, what it was given and what it takes.
    /// </summary>
    /// <param name="isGood">Whether a value that could be read is one that the option takes.</param>
    /// <param name="expected">What the option takes, in words.</param>
    public static Option<T> Require<T>(this Option<T> option, Predicate<T> isGood, string expected)
    {
        bool isFraction = typeof(T) == typeof(double) || typeof(T) == typeof(double[]);
        option.Validators.Add(result =>
        {
            object? given = string.Join(' ', result.Tokens.Select(token => token.Value));
            try
            {
                T value = result.GetValueOrDefault<T>()!;
                if (isGood(value) && !(isFraction && result.Tokens.Any(token => token.Value.Contains(',')))) return;   // "0,5" is read as 5
                if (result.Implicit) given = value;   // the default: nothing was given
            }
            catch (InvalidOperationException) { }   // the text is none of a T, or there are too many or too few
            result.AddError($"{option.Name} is '{given}': expected {expected}.");
        });
        return option;
    }
}
